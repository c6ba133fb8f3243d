# Third-party libraries: the installed package when there is one, else its release by FetchContent.
include(FetchContent)
find_package(Threads REQUIRED)

# nlohmann_json: the JSON lexer behind base/json.cpp (header only, not seen by users).
find_package(nlohmann_json 3.10 QUIET)
if(NOT nlohmann_json_FOUND)
  FetchContent_Declare(nlohmann_json URL https://github.com/nlohmann/json/releases/download/v3.11.3/json.tar.xz
                       URL_HASH SHA256=d6c65aca6b1ed68e7a182f4757257b107ae403032760ed6ef121c9d55e81757d)
  FetchContent_MakeAvailable(nlohmann_json)
endif()

# PCRE2: the patterns of pre-tokenizers. utf8proc: Unicode categories and normal forms. Both are C libraries that users
# do not see; neither has a CMake package on Debian.
find_path(PCRE2_INCLUDE_DIR pcre2.h)
find_library(PCRE2_LIBRARY NAMES pcre2-8 pcre2-8-static)
if(PCRE2_INCLUDE_DIR AND PCRE2_LIBRARY)
  add_library(trustformers_pcre2 INTERFACE)
  target_include_directories(trustformers_pcre2 SYSTEM INTERFACE ${PCRE2_INCLUDE_DIR})
  target_link_libraries(trustformers_pcre2 INTERFACE ${PCRE2_LIBRARY})
else()
  set(PCRE2_BUILD_PCRE2GREP OFF CACHE BOOL "" FORCE)
  set(PCRE2_BUILD_TESTS OFF CACHE BOOL "" FORCE)
  FetchContent_Declare(pcre2 GIT_REPOSITORY https://github.com/PCRE2Project/pcre2.git GIT_TAG pcre2-10.44 GIT_SHALLOW ON)
  FetchContent_MakeAvailable(pcre2)
  add_library(trustformers_pcre2 ALIAS pcre2-8-static)
endif()
find_path(UTF8PROC_INCLUDE_DIR utf8proc.h)
find_library(UTF8PROC_LIBRARY NAMES utf8proc)
if(UTF8PROC_INCLUDE_DIR AND UTF8PROC_LIBRARY)
  add_library(trustformers_utf8proc INTERFACE)
  target_include_directories(trustformers_utf8proc SYSTEM INTERFACE ${UTF8PROC_INCLUDE_DIR})
  target_link_libraries(trustformers_utf8proc INTERFACE ${UTF8PROC_LIBRARY})
else()
  FetchContent_Declare(utf8proc GIT_REPOSITORY https://github.com/JuliaStrings/utf8proc.git GIT_TAG v2.10.0 GIT_SHALLOW ON)
  FetchContent_MakeAvailable(utf8proc)
  add_library(trustformers_utf8proc ALIAS utf8proc)
endif()
