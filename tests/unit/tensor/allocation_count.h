// How often the test program asked for memory: allocation_count.cpp replaces operator new by one that counts.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "tensor/context.h"
#include "tensor/op.h"

namespace trustformers::test {

long allocation_count();

/// Runs `body` until everything is warm and then counts: nothing may be asked of the system any more.
template <class Body>
void check_steady(const std::string& what, Body body) {
  const NoGrad quiet;
  for (int i = 0; i < 5; ++i) body();
  const AllocationCounters before = allocation_counters();
  const long news_before = allocation_count();
  for (int i = 0; i < 20; ++i) body();
  const long news = allocation_count() - news_before;
  const AllocationCounters after = allocation_counters();
  CHECK_MESSAGE(news == 0, what, ": ", news, " allocations in 20 rounds");
  CHECK_MESSAGE(after.storage_blocks == before.storage_blocks, what);
  CHECK_MESSAGE(after.storage_bytes == before.storage_bytes, what);
  CHECK_MESSAGE(after.tensor_objects == before.tensor_objects, what);
}

}  // namespace trustformers::test
