#pragma once
// A body that is read as it comes.

#include <memory>

#include "host/http/conversation.hpp"

namespace ocelot::http {

// Goes on where the conversation has read the head.
std::unique_ptr<Download> downloadOf(Conversation& conversation, const AnswerHead& head);

}  // namespace ocelot::http
