#include "host/store/backup.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <vector>

#include "host/store/archive.hpp"
#include "host/store/sql/migration.hpp"
#include "host/store/sqlite/folder.hpp"
#include "host/store/sqlite/log_segments.hpp"
#include "host/store/sqlite/session.hpp"

namespace ocelot::store {
namespace {

namespace fs = std::filesystem;

const char* const kManifest = "ocelot-backup";
const char* const kExtra = "extra/";

void requireSqlite(const StoreSettings& settings, const char* what) {
  if (settings.kind != "sqlite")
    throw std::invalid_argument(std::string(what) + " the store: it is kept by " + settings.kind +
                                "; use that engine's own tools (pg_dump, pg_restore)");
}

// A folder that goes with its object.
class Scratch {
 public:
  explicit Scratch(const std::string& beside) {
    path_ = beside + ".XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr)
      throw Unavailable("make a folder beside " + beside + ": " + std::strerror(errno));
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct Segment {
  std::string build_id;
  std::int64_t fence = 0;
  std::int64_t size = 0;
};

// Opens a copy that nobody else has; translates what SQLite says about it.
template <typename Action>
auto withCopy(const std::string& file, const Action& action) {
  const auto db = openSqlite(file, SessionKind::relaxed);
  try {
    return action(*db);
  } catch (const Conflict&) {
    throw;
  } catch (const Unavailable&) {
    throw;
  } catch (const std::exception& error) {
    throwMeaning(error, file);
  }
}

std::vector<Segment> segmentsOf(Connection& db) {
  const Rows rows = db.query(
      "SELECT id, fence, log_bytes FROM builds WHERE log_bytes > 0 AND NOT EXISTS "
      "(SELECT 1 FROM short_logs WHERE short_logs.build_id = builds.id)",
      "tii", {});
  std::vector<Segment> segments;
  for (std::size_t row = 0; row < rows.size(); ++row)
    segments.push_back({rows.text(row, 0), rows.integer(row, 1), rows.integer(row, 2)});
  return segments;
}

bool isThere(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

void move(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    throw Unavailable("move " + from + " to " + to + ": " + std::strerror(errno));
}

}  // namespace

BackupReport backup(const StoreSettings& settings, const std::string& file,
                    const std::map<std::string, std::string>& extra) {
  requireSqlite(settings, "back up");
  const std::string source = settings.path + "/ocelot.db";
  if (!isThere(source)) throw std::invalid_argument("back up " + settings.path + ": there is no ocelot.db in it");
  if (isThere(file)) throw Conflict("write " + file + ": it is there already; choose another name, or remove it");
  const FolderLock no_restore_meanwhile(settings.path, FolderLock::Mode::shared);
  const Scratch scratch(file);
  const std::string copy = scratch.path() + "/ocelot.db";
  withCopy(source, [&](Connection& db) {
    db.run("VACUUM INTO $1", {copy});
    return true;
  });
  BackupReport report;
  std::int64_t schema = 0;
  std::vector<Segment> segments;
  withCopy(copy, [&](Connection& db) {
    schema = schemaOf(db);
    report.builds = db.query("SELECT count(*) FROM builds", "i", {}).integer(0, 0);
    segments = segmentsOf(db);
    // One file: what WAL mode left beside the copy goes back into it.
    db.script("PRAGMA wal_checkpoint(TRUNCATE)");
    return true;
  });

  const std::string draft = scratch.path() + "/backup";
  ArchiveWriter archive(draft);
  archive.add(kManifest, "format 1\nschema " + std::to_string(schema) + "\nprogram ocelot " OCELOT_VERSION "\nbuilds " +
                             std::to_string(report.builds) + "\n");
  if (!archive.addFile("ocelot.db", copy, -1)) throw Unavailable("read " + copy + ": it has vanished");
  for (const Segment& segment : segments) {
    const std::string name = LogSegments::name(segment.build_id, segment.fence);
    // A build that was pruned, or claimed anew, since the copy was taken: its row stays, its log is gone.
    if (archive.addFile(name, settings.path + "/" + name, segment.size)) ++report.log_files;
  }
  for (const auto& [name, path] : extra)
    if (!archive.addFile(kExtra + name, path, -1)) throw Unavailable("back up " + path + ": there is no such file");
  archive.close();
  report.bytes = static_cast<std::int64_t>(fs::file_size(draft));
  // link, not rename: it never replaces a file that appeared meanwhile.
  if (::link(draft.c_str(), file.c_str()) != 0) throw Unavailable("write " + file + ": " + std::strerror(errno));
  return report;
}

BackupReport restore(const StoreSettings& settings, const std::string& file,
                     const std::map<std::string, std::string>& extra, bool force) {
  requireSqlite(settings, "restore");
  prepareFolder(settings.path);
  const FolderLock nobody_else(settings.path, FolderLock::Mode::exclusive);

  BackupReport report;
  const Scratch scratch(settings.path + "/restore");
  std::set<std::string> names;
  readArchive(file, [&](const std::string& name) {
    names.insert(name);
    const bool known =
        name == kManifest || name == "ocelot.db" || name.starts_with("logs/") || name.starts_with(kExtra);
    if (!known)
      throw std::runtime_error("read " + file + ": \"" + name +
                               "\" in it is not known; was it made by a newer ocelot?");
    if (name.starts_with("logs/")) ++report.log_files;
    return scratch.path() + "/" + name;
  });
  report.bytes = static_cast<std::int64_t>(fs::file_size(file));
  if (names.count(kManifest) == 0 || names.count("ocelot.db") == 0)
    throw std::runtime_error("read " + file + ": it holds no ocelot.db; this is no backup of ocelot's");
  const std::string copy = scratch.path() + "/ocelot.db";
  withCopy(copy, [&](Connection& db) {
    try {
      olderProgram("backup " + file, db, sqliteMigrations());
    } catch (const std::runtime_error& newer) {
      throw Conflict(newer.what());
    }
    const std::string health = db.query("PRAGMA quick_check(1)", "t", {}).text(0, 0);
    if (health != "ok") throw Conflict("read " + file + ": its database is damaged: " + health);
    report.builds = db.query("SELECT count(*) FROM builds", "i", {}).integer(0, 0);
    db.script("PRAGMA wal_checkpoint(TRUNCATE)");
    return true;
  });

  // What would be replaced, by the name it gets aside.
  std::map<std::string, std::string> in_the_way;
  for (const char* name : {"ocelot.db", "ocelot.db-wal", "ocelot.db-shm", "logs"})
    if (isThere(settings.path + "/" + name)) in_the_way[settings.path + "/" + name] = name;
  for (const auto& [name, path] : extra) {
    if (names.count(kExtra + name) == 0) throw Conflict("restore " + name + ": the backup does not hold it");
    if (isThere(path)) in_the_way[path] = "extra-" + name;
  }
  if (!in_the_way.empty() && !force)
    throw Conflict("restore into " + settings.path + ": " + in_the_way.begin()->first +
                   " is there already; with --force it is moved aside");
  if (!in_the_way.empty()) {
    const std::string aside = settings.path + "/before-restore-" + std::to_string(::time(nullptr));
    if (::mkdir(aside.c_str(), 0700) != 0) throw Unavailable("make folder " + aside + ": " + std::strerror(errno));
    for (const auto& [path, name] : in_the_way) {
      // Another file system, perhaps: copied and removed then.
      std::error_code error;
      fs::rename(path, aside + "/" + name, error);
      if (error) {
        fs::copy(path, aside + "/" + name, fs::copy_options::recursive);
        fs::remove_all(path);
      }
    }
  }
  for (const auto& [name, path] : extra) {
    std::error_code error;
    if (!fs::path(path).parent_path().empty()) fs::create_directories(fs::path(path).parent_path(), error);
    fs::rename(scratch.path() + "/" + kExtra + name, path, error);
    if (error) {
      fs::copy_file(scratch.path() + "/" + kExtra + name, path);
      ::chmod(path.c_str(), 0600);
    }
  }
  if (isThere(scratch.path() + "/logs")) move(scratch.path() + "/logs", settings.path + "/logs");
  // Last: with the database in its place, the store is restored.
  move(copy, settings.path + "/ocelot.db");
  return report;
}

}  // namespace ocelot::store
