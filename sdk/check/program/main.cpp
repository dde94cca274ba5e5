// ocelot-plugin-check: does a plugin keep what the ABI promises?

#include <cstdio>
#include <iostream>
#include <string>

#include "check/contract.hpp"
#include "check/opened.hpp"
#include "ocelot/call.hpp"

int main(int argc, char** argv) {
  if (argc != 3 || std::string(argv[1]) != "--describe") return 2;
  try {
    std::cout << ocelot::check::describe(ocelot::check::open(argv[2])) << std::endl;
    return 0;
  } catch (const ocelot::Error& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
