// tf_op: ops by name.
#include "handles.h"
#include "op_table.h"

using namespace trustformers;
using namespace trustformers::capi;

extern "C" {

tf_status tf_op(const char* name, const tf_tensor* const* inputs, size_t count, const char* attributes,
                tf_tensor** out) {
  return making(out, [&] {
    const NamedOp& op = find_op(required_text(name, "the op's name"));
    check(count >= op.least && count <= op.most, ErrorCode::invalid_argument, "[", op.name, "] expected ", op.least,
          op.least == op.most ? "" : str(" to ", op.most), " inputs, got ", count);
    if (count > 0) required(inputs, "the list of inputs");
    std::vector<Tensor> in(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (inputs[i]) in[i] = inputs[i]->tensor;
      // Ops of a list of tensors have no optional ones among them.
      check(inputs[i] || (i >= op.least && op.most != any_number), ErrorCode::invalid_argument, "[", op.name,
            "] input ", i, " is NULL");
    }
    const Options options(attributes, op.name, op.attributes);
    return wrap(op.run({in, options, op.name}));
  });
}

tf_status tf_ops(char** json) {
  return make_text(json, nullptr, [] {
    Json::Array list;
    for (const NamedOp& op : named_ops()) {
      Json::Array names;
      for (std::string_view rest = op.attributes; !rest.empty();) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        names.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
      list.emplace_back(Json::Object{
          {"name", op.name}, {"inputs", Json::Array{Json(op.least), Json(op.most)}}, {"attributes", std::move(names)}});
    }
    return Json(std::move(list)).dump();
  });
}
}
