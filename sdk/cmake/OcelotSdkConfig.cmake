include(${CMAKE_CURRENT_LIST_DIR}/OcelotSdkTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/ocelot_add_plugin.cmake)
