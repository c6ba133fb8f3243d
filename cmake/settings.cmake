# Warnings, sanitizers and the flags that all targets of this project share.
add_library(trustformers_settings INTERFACE)
target_compile_options(trustformers_settings INTERFACE
  $<$<CXX_COMPILER_ID:GNU,Clang,AppleClang>:-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor>
  # GCC 12 sees an overlap in "text" + std::string() that is not there (GCC bug 105651, mended in 13).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  # Results must not depend on which multiplications the compiler chooses to contract.
  $<$<CXX_COMPILER_ID:GNU,Clang,AppleClang>:-ffp-contract=off>)
if(TRUSTFORMERS_SANITIZE)
  # Null pointers fault under every sanitizer, and an object's size is AddressSanitizer's matter; checks for both would
  # more than double the time that compiling takes.
  target_compile_options(trustformers_settings INTERFACE -fsanitize=${TRUSTFORMERS_SANITIZE} -fno-sanitize=null,object-size,pointer-overflow,vptr
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  # Every function that is inlined brings its checks along, so clang inlines fewer (its own threshold is 225), which takes
  # a fifth off compiling.
  target_compile_options(trustformers_settings INTERFACE "$<$<CXX_COMPILER_ID:Clang>:SHELL:-mllvm -inline-threshold=40>")
  target_link_options(trustformers_settings INTERFACE -fsanitize=${TRUSTFORMERS_SANITIZE})
endif()

# For programs around the library, which is compiled as it is shipped: their own code need not be fast, and there is much
# of it.
function(trustformers_compile_quickly)
  foreach(target ${ARGN})
    target_compile_options(${target} PRIVATE $<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU,Clang,AppleClang>>:-O1>)
  endforeach()
endfunction()
