# Which folder plays the WebGPU machine: backends/webgpu with its browser host in WebAssembly, else backends/no_webgpu.
function(trustformers_add_webgpu target)
  set(folder ${PROJECT_SOURCE_DIR}/src/backends)
  if(NOT EMSCRIPTEN)
    target_sources(${target} PRIVATE ${folder}/no_webgpu/webgpu.cpp)
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/webgpu/*.cpp)
  file(GLOB shaders CONFIGURE_DEPENDS ${folder}/webgpu/wgsl/*.wgsl)
  set(embed ${PROJECT_SOURCE_DIR}/cmake/embed_text.cmake)
  set(generated ${PROJECT_BINARY_DIR}/generated/webgpu_shaders.cpp)
  list(JOIN shaders "," files)
  add_custom_command(OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} -DOUT=${generated} -DNAMESPACE=trustformers::webgpu::shaders -DFILES=${files} -P ${embed}
    DEPENDS ${shaders} ${embed} VERBATIM)
  target_sources(${target} PRIVATE ${sources} ${generated})
  target_link_options(${target} INTERFACE $<BUILD_INTERFACE:SHELL:--js-library ${folder}/webgpu/host.js>)
endfunction()
