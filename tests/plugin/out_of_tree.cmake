# Installs the SDK of OCELOT_BUILD below WORK and builds the example plugins with it as a project of their own, by the
# compilers C and CXX with FLAGS; their conformance tests run with the installed checker.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}:\n${out}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${OCELOT_BUILD} --prefix ${WORK}/sdk --component sdk)
run(${CMAKE_COMMAND} -S ${EXAMPLES} -B ${WORK}/build -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${WORK}/sdk
  -DCMAKE_C_COMPILER=${C} -DCMAKE_CXX_COMPILER=${CXX} "-DCMAKE_CXX_FLAGS=${FLAGS} -Wall -Wextra -Wpedantic -Werror"
  "-DCMAKE_C_FLAGS=-Wall -Wextra -Wpedantic -Werror")
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${CMAKE_CTEST_COMMAND} --test-dir ${WORK}/build --output-on-failure --no-tests=error)
run(${CMAKE_COMMAND} --install ${WORK}/build --prefix ${WORK}/plugins)
foreach(name vcs-plainforge notifier-file)
  if(NOT EXISTS ${WORK}/plugins/lib/ocelot/plugins/${name}.so)
    message(FATAL_ERROR "${name}.so was not installed")
  endif()
endforeach()

# The next major is refused, with both versions named.
file(WRITE ${WORK}/next/CMakeLists.txt "cmake_minimum_required(VERSION 3.25)
project(next NONE)
find_package(OcelotSdk 2.0 REQUIRED)
")
execute_process(COMMAND ${CMAKE_COMMAND} -S ${WORK}/next -B ${WORK}/next/build -DCMAKE_PREFIX_PATH=${WORK}/sdk
  RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE out)
if(status EQUAL 0 OR NOT out MATCHES "2\\.0" OR NOT out MATCHES "version: 1\\.0")
  message(FATAL_ERROR "find_package(OcelotSdk 2.0) against SDK 1.0: status ${status}\n${out}")
endif()
file(REMOVE_RECURSE ${WORK})
