#include <stdexcept>

#include "host/queue/folder_queue.hpp"
#include "host/queue/postgres_queue.hpp"

namespace ocelot::queue {

std::unique_ptr<Queue> openStoreQueue(const store::StoreSettings& settings) {
  if (settings.kind == "sqlite") return std::make_unique<FolderQueue>(settings.path);
  if (settings.kind == "postgres") return std::make_unique<PostgresQueue>(settings);
  throw std::invalid_argument("open the queue: \"" + settings.kind + "\" is no kind; store.kind is sqlite or postgres");
}

}  // namespace ocelot::queue
