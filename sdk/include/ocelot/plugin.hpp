#pragma once
// What a plugin's author includes besides the interface. One line at the end of one source file makes the plugin:
//
//   static const ocelot_option kOptions[] = {{"url", OCELOT_URL, OCELOT_REQUIRED, nullptr, "where Gitea answers"}, {}};
//   OCELOT_VCS_PLUGIN(Gitea, "com.example.gitea", "1.0.0", "Gitea repositories and webhooks", kOptions)
//
// The class derives from ocelot::Vcs (Runtime, Notifier) and has a constructor taking const ocelot::Settings&, which
// stay valid as long as the object. What it throws reaches the host as a status and a sentence.

#include "ocelot/abi/plugin.h"
#include "ocelot/bind/export_notifier.hpp"
#include "ocelot/bind/export_runtime.hpp"
#include "ocelot/bind/export_vcs.hpp"

#define OCELOT_PLUGIN_SYMBOL_(QUERY, ID, VERSION, SUMMARY, OPTIONS) \
  extern "C" OCELOT_EXPORT const ocelot_plugin ocelot_plugin_v1 = { \
      sizeof(ocelot_plugin), OCELOT_ABI_MINOR, ID, VERSION, SUMMARY, OPTIONS, QUERY};

#define OCELOT_RUNTIME_PLUGIN(CLASS, ID, VERSION, SUMMARY, OPTIONS) \
  OCELOT_PLUGIN_SYMBOL_(&ocelot::bind::RuntimeExport<CLASS>::query, ID, VERSION, SUMMARY, OPTIONS)
#define OCELOT_VCS_PLUGIN(CLASS, ID, VERSION, SUMMARY, OPTIONS) \
  OCELOT_PLUGIN_SYMBOL_(&ocelot::bind::VcsExport<CLASS>::query, ID, VERSION, SUMMARY, OPTIONS)
#define OCELOT_NOTIFIER_PLUGIN(CLASS, ID, VERSION, SUMMARY, OPTIONS) \
  OCELOT_PLUGIN_SYMBOL_(&ocelot::bind::NotifierExport<CLASS>::query, ID, VERSION, SUMMARY, OPTIONS)
