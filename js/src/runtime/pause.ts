// Lets the host do other work: messages (a request to cancel is one), input, drawing.

interface Scheduler {
  setImmediate?: (task: () => void) => void;
}

const waiting: (() => void)[] = [];
let channel: MessageChannel | null = null;

/** Resolves in a task of its own, after the messages that have arrived. */
export function pause(): Promise<void> {
  const { setImmediate } = globalThis as Scheduler;
  if (setImmediate) return new Promise((resolve) => setImmediate(resolve));
  // Timers of browsers wait for 4 ms at least; messages do not.
  if (!channel) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => waiting.shift()?.();
  }
  const { port2 } = channel;
  return new Promise((resolve) => {
    waiting.push(resolve);
    port2.postMessage(null);
  });
}
