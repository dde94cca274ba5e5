#include <ocelot/plugin.hpp>

#include "oci.hpp"

static const ocelot_option kOptions[] = {
    {"store", OCELOT_PATH, 0, nullptr,
     "folder for images and for what containers write (default /var/lib/ocelot/images; not on an overlay)"},
    {"state", OCELOT_PATH, 0, nullptr,
     "folder for running containers, emptied by a restart of the machine (default /run/ocelot/oci)"},
    {"runtime", OCELOT_TEXT, 0, "auto", "auto, crun, runc, or the absolute path of one of them"},
    {"subnet", OCELOT_TEXT, 0, nullptr, "addresses of the bridge network (default: a free one of 10.89.0.0/16)"},
    {"cni_path", OCELOT_LIST, 0, nullptr,
     "folders with CNI plugins (default /usr/lib/cni, /opt/cni/bin, /usr/libexec/cni)"},
    {"registry_mirror", OCELOT_TEXT, 0, nullptr, "host[:port][/path] that is asked before docker.io"},
    {"insecure_registries", OCELOT_LIST, 0, nullptr,
     "registries, host[:port], that may speak plain HTTP or have a certificate nobody vouches for"},
    {}};

OCELOT_RUNTIME_PLUGIN(ocelot::oci::Oci, "org.ocelot.runtime.oci", OCELOT_VERSION,
                      "Builds in containers without an engine, by crun or runc", kOptions)
