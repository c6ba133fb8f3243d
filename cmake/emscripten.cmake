# WebAssembly: flags that every object of one program must share, third-party ones included.
# Configure with `emcmake cmake …` (tools/emscripten.sh emcmake cmake … where Emscripten is not installed).
option(TRUSTFORMERS_WASM_THREADS "Worker threads; pages must be cross-origin isolated" OFF)

# Modules are fetched by pages: all but the hot kernels (cmake/cpu_kernels.cmake) is compiled for size.
foreach(language C CXX)
  set(CMAKE_${language}_FLAGS_RELEASE "-Oz -DNDEBUG")
endforeach()

# Exceptions of WebAssembly itself: without them a throw ends the module, and JS-emulated ones slow every call. And what
# every engine with SIMD has beside it, for smaller code.
add_compile_options(-fwasm-exceptions -msimd128 -mbulk-memory -mnontrapping-fptoint $<$<BOOL:${TRUSTFORMERS_WASM_THREADS}>:-pthread>)
# Nothing asks an object for its type, and the names of types would be a thirtieth of a module.
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)
add_link_options(-fwasm-exceptions $<$<BOOL:${TRUSTFORMERS_WASM_THREADS}>:-pthread>)

# An ES module that runs in pages, workers and Node, and under a policy without 'unsafe-eval'. Growing shared memory
# makes JS views stale, which Emscripten handles and warns about: only bulk copies cross here.
function(trustformers_wasm_program target)
  set_target_properties(${target} PROPERTIES SUFFIX .mjs)
  target_link_options(${target} PRIVATE -sMODULARIZE -sEXPORT_ES6 -sDYNAMIC_EXECUTION=0 -sENVIRONMENT=web,worker,node
    -sALLOW_MEMORY_GROWTH -sMAXIMUM_MEMORY=4GB -sSTACK_SIZE=1MB
    $<$<BOOL:${TRUSTFORMERS_WASM_THREADS}>:-sPTHREAD_POOL_SIZE=4 -Wno-pthreads-mem-growth>)
endfunction()
