# The instruction sets of the CPU kernels: one source file each, with its own flags. Called by src/CMakeLists.txt with
# the library's list of sources, from which files of other machines are taken out.
function(trustformers_select_cpu_kernels sources_variable)
  set(simd ${CMAKE_CURRENT_SOURCE_DIR}/backends/cpu/simd)
  set(sources ${${sources_variable}})
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
    set_source_files_properties(${simd}/kernels_avx2.cpp PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;-mf16c")
    set_source_files_properties(${simd}/kernels_avx512.cpp PROPERTIES COMPILE_OPTIONS
      "-mavx2;-mfma;-mf16c;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512vnni")
    set_source_files_properties(${simd}/isa.cpp PROPERTIES COMPILE_DEFINITIONS TRUSTFORMERS_X86_KERNELS)
  else()
    list(REMOVE_ITEM sources ${simd}/kernels_avx2.cpp ${simd}/kernels_avx512.cpp)
  endif()
  set(${sources_variable} ${sources} PARENT_SCOPE)
endfunction()
