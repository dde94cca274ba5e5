# How the targets of this tree are made. A folder is a target; its sources are found, its arrows are written.

# ocelot_library(<folder name> [dependencies…]): the static library ocelot_<name> of the current folder.
function(ocelot_library name)
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  if(sources)
    add_library(ocelot_${name} STATIC ${sources})
    target_link_libraries(ocelot_${name} PUBLIC ocelot_build_settings ${ARGN})
  else()
    add_library(ocelot_${name} INTERFACE)
    target_link_libraries(ocelot_${name} INTERFACE ocelot_build_settings ${ARGN})
  endif()
endfunction()

# ocelot_program(<name> [dependencies…]): an installed program from the sources of the current folder.
function(ocelot_program name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ocelot_build_settings ${ARGN})
  install(TARGETS ${name} RUNTIME DESTINATION bin)
endfunction()

# ocelot_suite(<kind> <name> [dependencies…]): a CppUnit program from the sources of folder <name>, run by ctest as
# <kind>/<name>. Linked by mold where it is there, in a third of the time: each change of a library links its suites anew.
find_program(OCELOT_MOLD mold)
function(ocelot_suite kind name)
  file(GLOB sources CONFIGURE_DEPENDS ${name}/*.cpp)
  add_executable(${kind}-${name} ${sources})
  target_link_libraries(${kind}-${name} PRIVATE ocelot_build_settings ocelot_test_support ${ARGN})
  if(OCELOT_MOLD)
    target_link_options(${kind}-${name} PRIVATE -fuse-ld=mold)
  endif()
  set_target_properties(${kind}-${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${kind}/${name} COMMAND ${kind}-${name})
  set_tests_properties(${kind}/${name} PROPERTIES TIMEOUT 300)
endfunction()

# Files of these targets have private names alike (two `fail`, two `kMark`); each is compiled by itself also in a unity
# build.
function(ocelot_no_unity target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)
endfunction()

# Megabytes go through these: optimised in a debug build too, so that their tests take no longer than they must.
function(ocelot_optimised target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Debug>:-O1>)
endfunction()
