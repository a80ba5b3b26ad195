#include "base/error.hpp"
#include "model/forecast_model.hpp"

namespace mosaic {

namespace {

class Persistence : public ForecastModel {
 public:
  explicit Persistence(const ModelInfo& like) : info_(like) {
    info_.name = "persistence";
    info_.description = "persistence: the newest initial state at every lead time";
    info_.history = 1;
    info_.noise_width = 0;
    info_.identity = "persistence";
  }

  const ModelInfo& info() const override { return info_; }

  void advance(const AdvanceArgs& args) override {
    const std::size_t state = info_.channels->size() * info_.grid->points();
    require(args.history.size() == static_cast<std::size_t>(info_.batch) * state,
            "persistence: history of {} values, expected {} members x {}", args.history.size(), info_.batch,
            state);
  }

 private:
  ModelInfo info_;
};

}  // namespace

std::unique_ptr<ForecastModel> make_persistence(const ModelInfo& like) {
  return std::make_unique<Persistence>(like);
}

}  // namespace mosaic
