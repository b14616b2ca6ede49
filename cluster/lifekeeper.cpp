#include "cluster/lifekeeper.hpp"

#include <chrono>
#include <utility>

#include "cluster/shell_settings.hpp"
#include "common/capture.hpp"
#include "common/directory.hpp"
#include "common/error.hpp"
#include "common/log.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"
#include "common/settings.hpp"

namespace genapp::cluster {
namespace {

namespace log = common::log;
namespace paths = common::paths;
using common::Error;
using common::Id;
using common::quoted;
using common::State;
using common::Tag;

// quickCheck has 4.5 s in all, and also asks the daemon.
constexpr auto kInsListTime = std::chrono::seconds(2);
constexpr std::size_t kMostPrinted = 64 * 1024;
constexpr std::size_t kMostFileBytes = 1 << 20;
constexpr char kTimeoutVariable[] = "HC_TIMEOUT";

common::Captured run_ins_list(const Tag& tag) {
  const std::string root = paths::lifekeeper_root();
  common::Spawn what;
  what.argv = {paths::ins_list(), "-t", tag.text()};
  // The same whoever calls us: LifeKeeper, a person, systemd.
  what.environment = {"PATH=" + root + "/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LKROOT=" + root,
                      "LANG=C"};
  try {
    return common::capture(std::move(what), kInsListTime, kMostPrinted);
  } catch (const common::StartError& problem) {
    throw Error(std::string(problem.what()) +
                ": is LifeKeeper installed there? Set LKROOT, or cluster = \"registry\" in " +
                paths::settings_file());
  }
}

// What went wrong in words that follow "ins_list"; empty when it ended well.
std::string problem_of(const Tag& tag, const common::Captured& run) {
  if (run.timed_out) {
    return "gave no answer within 2 s: is LifeKeeper running? See 'ins_list -t " + tag.text() + "'";
  }
  if (run.ending.signalled) return "was ended by signal " + std::to_string(run.ending.number);
  if (run.ending.number != 0) {
    return "ended with exit code " + ins_list_exit_text(tag, run.ending.number);
  }
  if (run.out.truncated) {
    return "printed more than " + std::to_string(kMostPrinted) +
           " bytes for one resource; see 'ins_list -t " + tag.text() + "'";
  }
  return "";
}

std::string said(const common::Printed& err) {
  return err.text.empty() ? "" : "; it said: " + quoted(err.text, 200);
}

// The resource's file under LifeKeeper; nothing when there is none.
std::optional<Description> read_description(const Tag& tag) {
  const std::string path = paths::resource_file(tag);
  const auto text = common::read_file(path, kMostFileBytes);
  return text ? std::optional(parse_description(path, *text)) : std::nullopt;
}

void warn_of_difference(const Description& file, const std::string& key, const std::string& ours,
                        const std::string& theirs) {
  if (ours == theirs) return;
  log::warn(file.file.path() + ": " + key + " " + quoted(ours) + " is not LifeKeeper's, which is " +
            quoted(theirs) + " and holds: leave the key out");
}

// HC_TIMEOUT of LifeKeeper's own settings, in the place of a key that the resource's file lacks: it
// comes before genapp.toml's.
void add_timeout(common::TomlFile& file) {
  if (file.find(kLbhc, "hc_timeout")) return;
  const std::string path = paths::lifekeeper_defaults();
  const auto text = common::read_file(path, kMostFileBytes);
  const auto found = text ? find_assignment(*text, kTimeoutVariable) : std::nullopt;
  if (!found) return;
  file.put(
      common::number_setting(std::string(kLbhc), "hc_timeout", found->value,
                             path + ":" + std::to_string(found->line) + ": " + kTimeoutVariable));
}

Id id_of(const Tag& tag, const InsListRecord& record, const std::optional<Description>& file,
         const std::optional<Id>& given) {
  // Field 4 is (inferred) to be the id; where it is empty, LifeKeeper's -i has to do.
  if (given && (record.id.empty() || record.id == given->text())) return *given;
  if (given) {
    throw Error("the resource " + quoted(tag.text()) + " has the id " + quoted(record.id) +
                " in LifeKeeper, not " + quoted(given->text()));
  }
  if (common::is_identifier(record.id)) return Id(record.id);
  if (record.id.empty() && file && file->id) return *file->id;
  throw Error("LifeKeeper's id of the resource " + quoted(tag.text()) + " is " + quoted(record.id) +
              ", which is not a valid id");
}

Resource describe(const Tag& tag, const std::optional<Id>& given) {
  InsListRecord record = ask_ins_list(tag);
  auto file = read_description(tag);
  Id id = id_of(tag, record, file, given);
  if (file && file->id) warn_of_difference(*file, "id", file->id->text(), id.text());
  if (file && file->info) warn_of_difference(*file, "info", *file->info, record.info);
  Resource resource{tag,
                    std::move(id),
                    file ? file->type : std::string(kLbhc),
                    record.info,
                    file ? std::move(file->file) : common::TomlFile(),
                    record.state};
  // So that what is wrong with it is not said to be in the file.
  resource.file.put({"", "info", record.info, "LifeKeeper's info of " + quoted(tag.text())});
  if (resource.type == kLbhc) add_timeout(resource.file);
  return resource;
}

class States : public common::StateStore {
 public:
  States(Tag tag, std::optional<State> told) : tag_(std::move(tag)), told_(told) {}

  // What ins_list has told with the resource is used once: quickCheck reads the state a moment
  // later, and another run would double its cost. Whoever asks again wants to know it anew.
  State read() const override {
    if (const auto told = std::exchange(told_, std::nullopt)) return *told;
    return ask_ins_list(tag_).state;
  }
  // LifeKeeper's to record, from the exit codes.
  void write(State) override {}

 private:
  Tag tag_;
  mutable std::optional<State> told_;
};

}  // namespace

InsListRecord ask_ins_list(const Tag& tag) {
  const common::Captured run = run_ins_list(tag);
  const std::string problem = problem_of(tag, run);
  if (!problem.empty()) throw Error(paths::ins_list() + " " + problem + said(run.err));
  try {
    return parse_ins_list(tag, run.out.text);
  } catch (const Error& wrong) {
    throw Error(paths::ins_list() + " " + wrong.what());
  }
}

Resource LifeKeeper::read(const Tag& tag, const Id& id) const { return describe(tag, id); }

Resource LifeKeeper::find(const Tag& tag) const { return describe(tag, std::nullopt); }

std::vector<Entry> LifeKeeper::list() const {
  std::vector<Entry> entries = Registry(paths::resources_dir()).list();
  for (Entry& entry : entries) {
    try {
      entry.resource = find(Tag(entry.tag));
    } catch (const Error& problem) {
      entry.resource = std::string(problem.what());
    }
  }
  return entries;
}

std::string LifeKeeper::type(const Tag& tag, const Id&) const {
  const auto file = read_description(tag);
  return file ? file->type : std::string(kLbhc);
}

std::unique_ptr<common::StateStore> LifeKeeper::states(const common::Directory&,
                                                       const Resource& resource) const {
  return std::make_unique<States>(resource.tag, resource.state);
}

}  // namespace genapp::cluster
