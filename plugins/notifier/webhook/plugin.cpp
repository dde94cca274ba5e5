#include "ocelot/plugin.hpp"

#include "options.hpp"
#include "webhook.hpp"

using ocelot::webhook::kOptions;
using ocelot::webhook::Webhook;

OCELOT_NOTIFIER_PLUGIN(Webhook, "org.ocelot.notifier.webhook", OCELOT_VERSION, "Posts ended builds to a URL, signed",
                       kOptions)
