# cmake -DOUT=x.cpp -DNAMESPACE=a::b -DFILES=p/one.wgsl,p/two.wgsl -P embed_text.cmake
# writes a C++ file that defines `extern const std::string_view one` with the text of one.wgsl, and so on.
set(text "// Written by cmake/embed_text.cmake.\n#include <string_view>\n\nnamespace ${NAMESPACE} {\n")
string(REPLACE "," ";" FILES "${FILES}")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} content)
  string(APPEND text "extern const std::string_view ${name};\nconst std::string_view ${name} = R\"wgsl(${content})wgsl\";\n")
endforeach()
file(WRITE ${OUT} "${text}}  // namespace ${NAMESPACE}\n")
