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
