#include "kernels/device/device_code.hpp"
//
#include <limits>

#include "kernels/block_sparse_attention/attend_rows.hpp"

namespace mosaic::kernels {

namespace {

void check_arguments(const AttendArgs& args) {
  const DeviceAttentionShape& shape = args.shape;
  check_shape(shape);
  require_shape(args.q != nullptr && args.k != nullptr && args.v != nullptr && args.out != nullptr &&
                    args.lists != nullptr && args.counts != nullptr,
                "attend: an array is missing");
  require_shape(args.gates != nullptr || shape.pattern.branches == AttentionBranches::local_only,
                "attend: several branches and no gates");
  require_shape(args.compressed != nullptr || !shape.compresses(),
                "attend: a compressed branch and no array of it");
  // The kernels count rows, places in lists and bytes of keys in 32 bits.
  constexpr std::int64_t limit = std::numeric_limits<std::int32_t>::max();
  const std::int64_t columns = shape.members * shape.kv_heads;
  require_shape(columns <= 65535 && columns * shape.tokens <= limit / (2 * device_head_width) &&
                    columns * shape.tokens <= limit / device_group &&
                    columns * shape.blocks() <= limit / shape.list_capacity(),
                "attend: too many members in one call");
}

}  // namespace

AttendWork attend_work(const AttendArgs& args) {
  const DeviceAttentionShape& shape = args.shape;
  AttendWork work;
  work.q = args.q;
  work.k = args.k;
  work.v = args.v;
  work.lists = args.lists;
  work.counts = args.counts;
  work.gates = shape.pattern.branches == AttentionBranches::local_only ? nullptr : args.gates;
  work.compressed = shape.compresses() ? args.compressed : nullptr;
  work.out = args.out;
  work.tile_counter = args.tile_counter;
  work.kv_heads = static_cast<unsigned>(shape.kv_heads);
  work.blocks = static_cast<unsigned>(shape.blocks());
  work.capacity = static_cast<unsigned>(shape.list_capacity());
  work.columns = static_cast<unsigned>(shape.members * shape.kv_heads);
  return work;
}

void attend(const AttendArgs& args, AttendBody body, const Stream& stream) {
  check_arguments(args);
  if (args.type == ElementType::float32) {
    attend_float32(args, stream);
    return;
  }
  const bool hopper = device_capability() == 90;
  require_shape(hopper || body != AttendBody::hopper, "attend: the Hopper body on another device");
  if (body == AttendBody::ampere || !hopper) {
    attend_ampere(args, stream);
    return;
  }
  require_shape(args.tile_counter != nullptr, "attend: no tile counter");
  attend_hopper(args, stream);
}

}  // namespace mosaic::kernels
