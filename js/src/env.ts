import { currentEngine, report } from './runtime/load.js';
import type { EngineInfo, MemoryInfo } from './runtime/engine.js';
import type { Report } from './runtime/load.js';
import { settings } from './settings.js';
import type { Settings } from './settings.js';

/** What surrounds the models: the machine, how the engine uses it, and where models come from. */
export interface Environment extends Settings {
  /** What this machine can do, what is used of it, and why the rest is not. Loads nothing. */
  report(): Report;
  /** Version, threads and kernels of the loaded engine. */
  engineInfo(): EngineInfo;
  memory(): MemoryInfo;
}

export const env: Environment = /* @__PURE__ */ Object.assign(settings, {
  report,
  engineInfo: () => currentEngine().info(),
  memory: () => currentEngine().memoryInfo(),
});
