// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/block.hpp"
#include "amacrine/attribution/plan.hpp"
#include "amacrine/io/journal.hpp"
#include "amacrine/io/result_file.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace amacrine::attribution {

/// What an attributions file says of the model it is about. C, Y, X the first layer's output, T KY KX its kernel.
struct FirstLayerFacts {
  std::size_t channels = 0, rows = 0, columns = 0, lags = 0, kernel_y = 0, kernel_x = 0;
  std::vector<double> kernel;                        ///< (C, T, KY, KX)
  std::vector<double> gain, offset, baseline_drive;  ///< (C, Y, X)
  std::vector<double> constant;                      ///< (N) of all the model's cells
  bool rectified = true, per_channel = true;
};
template <class S>
FirstLayerFacts first_layer_facts(const BlockAttributor<S>& attributor);

/// An attributions file (docs/results/attributions.md). Declared from the plan, preallocated by create(), filled task by task by
/// any rank. Beside the unfinished file lies a journal of the tasks whose rows are on the disk, PATH.journal, with the checksums
/// of those rows: a later run of the same study goes on from there. Rank 0 alone writes it.
class AttributionFile {
 public:
  /// Collective. `subject`: "network", "circuit", "ln".
  AttributionFile(const parallel::Communicator& communicator, const std::string& path, const std::string& subject,
                  const Plan& plan, const model::Model& model, const FirstLayerFacts& layer, const AttributionSettings& settings,
                  const io::Provenance& provenance);

  std::size_t predicted_bytes() const { return writer_.predicted_bytes(); }
  /// Collective. Makes the file, or goes on with what an earlier run of the same study left, as far as its rows are what the
  /// journal says. Throws RefusedError where the file would not fit on the disk, parallel::Stopped.
  void create();
  /// Tasks whose rows the file holds since create(), ascending.
  const std::vector<std::size_t>& done() const { return done_; }
  /// Local: what is known before any task: stimuli, windows, first layer. By one rank.
  void write_frame();
  /// Local: a finished task's rows of one of its showings and stimuli. They go to the file once those of all cells are there.
  void write_task(const Task& task, const Showing& showing, std::size_t stimulus, const Block& block);
  /// Local: the entry for the journal of a task whose rows are all written since the last call. It may go there after sync().
  std::string close_task(std::size_t task);
  void sync() { writer_.sync(); }  ///< local: what this rank wrote is durable
  /// Local, rank 0: notes tasks that ranks have closed and made durable.
  void note(const std::vector<std::string>& entries) { journal_.append(entries); }
  /// Collective: the file is whole.
  void finish();

 private:
  /// A finished task's place: whose rows, and where on the axes `window` and the finest level's.
  struct Place {
    const Showing& showing;
    std::size_t window, stored, windows;
  };
  /// Rows (W, N, ...) of a variable, of all N cells, and of how many cells they are there.
  struct Gathered {
    std::variant<std::vector<float>, std::vector<double>, std::vector<int>, std::vector<std::int8_t>> rows;
    std::size_t cells = 0;
  };
  std::vector<std::string> sound_entries(const std::vector<std::string>& entries);
  void write_stimuli();
  void write_windows();
  void write_first_layer();
  void write_channels(const Place& place, const Block& block);
  void write_fine(const Place& place, Level level, const Block& block);
  void write_level(const std::string& prefix, const LevelFigures& figures, const Place& place, std::size_t first,
                   const std::vector<std::size_t>& tail);
  void write_top(const std::string& level, LevelFigures figures, const Place& place, std::size_t kept);
  template <class T>
  void write_rows(const std::string& name, const std::vector<T>& values, const Place& place, std::size_t first,
                  const std::vector<std::size_t>& tail);

  Plan plan_;
  FirstLayerFacts layer_;
  AttributionSettings settings_;
  model::Architecture architecture_;
  double frame_ms_ = 10;
  parallel::Communicator communicator_;
  io::ResultWriter writer_;
  io::Journal journal_;
  std::vector<io::WrittenBlock> blocks_;      ///< of the task that is being written
  std::map<std::string, Gathered> gathered_;  ///< its rows of showings of single cells, by variable
  std::vector<std::size_t> done_;
};

}  // namespace amacrine::attribution
