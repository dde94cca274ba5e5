# ocelot_add_plugin(<name> <source>…): the plugin <name>.so from the SDK and nothing else; a host finds it by its name,
# <kind>-<name>: runtime-docker, vcs-gitea, notifier-slack. What it needs besides is added by target_link_libraries().
#
#   OCELOT_PLUGIN_OUTPUT_DIRECTORY  where it is built (default: lib/ocelot/plugins in the build folder)
#   OCELOT_PLUGIN_INSTALL           whether it is installed, to lib/ocelot/plugins (default: yes)
#   OCELOT_PLUGIN_CONFORMANCE       whether it is tested (default: yes)
#
# With tests enabled, adds the test <name>.conformance: ocelot-plugin-check must find nothing wrong. A file conformance.txt
# beside the sources tells it settings ("set KEY=VALUE") and what the plugin cannot do ("skip TEST=WHY").

function(ocelot_add_plugin name)
  set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
  add_library(${name} MODULE ${ARGN})
  target_compile_features(${name} PRIVATE c_std_11 cxx_std_17)
  target_link_libraries(${name} PRIVATE OcelotSdk::sdk)
  set(output ${CMAKE_BINARY_DIR}/lib/ocelot/plugins)
  if(OCELOT_PLUGIN_OUTPUT_DIRECTORY)
    set(output ${OCELOT_PLUGIN_OUTPUT_DIRECTORY})
  endif()
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so"
    LIBRARY_OUTPUT_DIRECTORY ${output}
    POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS ${map})
  # Hidden visibility alone still exports weak templates of the standard library; the version script makes it one symbol.
  target_link_options(${name} PRIVATE -Wl,--version-script=${map} -Wl,-z,now -Wl,-z,relro)
  # clang leaves the sanitizers' symbols to the program, so that every one of them would be undefined here.
  if(NOT (CMAKE_CXX_COMPILER_ID MATCHES Clang AND (OCELOT_SANITIZE OR CMAKE_CXX_FLAGS MATCHES "-fsanitize")))
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()
  # In Ocelot's own tree: its warnings and hardening, but not its include path.
  if(TARGET ocelot_build_settings)
    target_compile_options(${name} PRIVATE $<TARGET_PROPERTY:ocelot_build_settings,INTERFACE_COMPILE_OPTIONS>)
  endif()
  if(NOT DEFINED OCELOT_PLUGIN_INSTALL OR OCELOT_PLUGIN_INSTALL)
    install(TARGETS ${name} LIBRARY DESTINATION lib/ocelot/plugins)
  endif()
  if(DEFINED OCELOT_PLUGIN_CONFORMANCE AND NOT OCELOT_PLUGIN_CONFORMANCE)
    return()
  endif()
  if(BUILD_TESTING AND TARGET OcelotSdk::plugin-check)
    set(quirks)
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/conformance.txt)
      set(quirks --quirks ${CMAKE_CURRENT_SOURCE_DIR}/conformance.txt)
    endif()
    add_test(NAME ${name}.conformance COMMAND OcelotSdk::plugin-check ${quirks} $<TARGET_FILE:${name}>)
    set_tests_properties(${name}.conformance PROPERTIES TIMEOUT 300)
  endif()
endfunction()
