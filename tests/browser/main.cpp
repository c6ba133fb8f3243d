// The conformance tests as a WebAssembly module for Node, pages and workers (run.mjs drives it). C++ starts what JS
// asks for and reports through report(), because WebGPU answers after the call has returned.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <emscripten.h>

#include <memory>
#include <string>

#include "backends/webgpu/webgpu.h"
#include "conformance/device_rows.h"
#include "ops/elementwise/unary.h"
#include "ops/norm/norm.h"
#include "tensor/context.h"

using namespace trustformers;

namespace {

EM_JS(void, report_row, (const char* group, const char* name, const char* failure),
      { Module.report({group : UTF8ToString(group), name : UTF8ToString(name), failure : UTF8ToString(failure)}); });
EM_JS(void, report_end, (const char* group), { Module.report({group : UTF8ToString(group), end : true}); });

/// One report per doctest case; the text of a failure is what doctest prints.
struct CaseReporter : doctest::IReporter {
  explicit CaseReporter(const doctest::ContextOptions&) {}
  void test_case_start(const doctest::TestCaseData& data) override { current_ = data.m_name; }
  void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
    report_row("cpu", current_, stats.testCaseSuccess ? "" : "see the output");
  }
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}

 private:
  const char* current_ = "";
};
DOCTEST_REGISTER_LISTENER("rows", 1, CaseReporter);

/// What only a device with two kernels can be asked: every other op must refuse by name.
std::vector<test::DeviceRow> refusal_rows() {
  const auto refuses = [](std::string op, std::function<void()> body) {
    return test::DeviceRow{op + " is refused by name", [op, body](test::RowDone done) {
                             try {
                               body();
                             } catch (const Error& error) {
                               const bool named = error.message().starts_with("[" + op + "] webgpu has no kernel");
                               return done(named && error.code() == ErrorCode::unsupported ? "" : error.what());
                             }
                             done("no error came");
                           }};
  };
  return {refuses("exp", [] { exp(Tensor::ones({2, 3})); }),
          // A fused op outside the kernel's dtypes opens into primitives, of which the first has no kernel.
          refuses("cast", [] { rms_norm(Tensor::ones({2, 3}, DType::f16), Tensor(), 1e-5); })};
}

/// Devices of this program live as long as it does: tensors of late rows may still be around.
void run_on(std::unique_ptr<Device> opened) {
  static const std::unique_ptr<Device> device = std::move(opened);
  Context::current().set_default_device(device.get());
  auto rows = test::device_rows();
  for (auto& row : refusal_rows()) rows.push_back(std::move(row));
  const auto left = std::make_shared<std::size_t>(rows.size());
  test::run_rows(rows, [left](const std::string& name, const std::string& failure) {
    report_row("webgpu", name.c_str(), failure.c_str());
    if (--*left == 0) report_end("webgpu");
  });
  Context::current().set_default_device(nullptr);
}

}  // namespace

extern "C" {

EMSCRIPTEN_KEEPALIVE void run_cpu_rows() {
  doctest::Context doctest;
  doctest.setOption("no-intro", true);
  doctest.setOption("no-version", true);
  doctest.run();
  report_end("cpu");
}

/// `expected` 0: the host has no GPU, and opening one must end in a typed error.
EMSCRIPTEN_KEEPALIVE void run_webgpu_rows(int expected) {
  open_webgpu([expected](std::unique_ptr<Device> device, const Error* error) {
    if (expected && device) return run_on(std::move(device));
    const bool refused = !device && error && error->code() == ErrorCode::unsupported;
    const std::string failure = refused && !expected ? "" : error ? error->what() : "a device where none was expected";
    report_row("webgpu", expected ? "opens" : "is refused with a typed error", failure.c_str());
    report_end("webgpu");
  });
}
}
