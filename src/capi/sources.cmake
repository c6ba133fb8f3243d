# The sources of the C interface and what they need; used by the shared library and by the WebAssembly modules.
file(GLOB trustformers_capi_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/capi/*.cpp)
function(trustformers_capi_settings target)
  target_link_libraries(${target} PRIVATE trustformers trustformers_settings)
  target_compile_definitions(${target} PRIVATE TRUSTFORMERS_VERSION="${PROJECT_VERSION}")
endfunction()
