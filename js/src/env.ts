import { currentEngine, report } from './runtime/load.js';
import type { EngineInfo, MemoryInfo } from './runtime/engine.js';
import type { Report } from './runtime/load.js';

/** What surrounds the models: the machine, and how the engine uses it. */
export const env = {
  /** What this machine can do, what is used of it, and why the rest is not. Loads nothing. */
  report(): Report {
    return report();
  },
  /** Version, threads and kernels of the loaded engine. */
  engineInfo(): EngineInfo {
    return currentEngine().info();
  },
  memory(): MemoryInfo {
    return currentEngine().memoryInfo();
  },
};
