/**
 * Preloaded into every local Deno child (see `edge-isolate.ts`): gives it what Supabase's Edge Runtime gives a
 * function beyond plain Deno, `EdgeRuntime.waitUntil` and the `beforeunload` event with its reason.
 *
 * The host speaks over stdin, one command a line: `retire` (leave as soon as no background work is pending) and
 * `beforeunload <reason>`. When stdin ends the host is dead, and the child must not outlive it.
 */
const pending = new Set();

globalThis.EdgeRuntime = {
  waitUntil(promise) {
    const settled = Promise.resolve(promise)
      .catch((error) => console.error('waitUntil:', error))
      .finally(() => pending.delete(settled));
    pending.add(settled);
    return promise;
  },
};

function announce(reason) {
  globalThis.dispatchEvent(new CustomEvent('beforeunload', { detail: { reason } }));
}

async function leaveWhenIdle() {
  while (pending.size > 0) await Promise.all(pending);
  Deno.exit(0);
}

function obey(command) {
  const [verb, reason] = command.split(' ');
  if (verb === 'beforeunload') announce(reason);
  if (verb === 'retire') void leaveWhenIdle();
}

async function listenToHost() {
  let rest = '';
  for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    lines.forEach(obey);
  }
  Deno.exit(1);
}

Deno.addSignalListener('SIGTERM', () => {
  announce('termination');
  void leaveWhenIdle();
});
// Ctrl-C in a terminal reaches the children too; only the host decides when they end.
Deno.addSignalListener('SIGINT', () => {});
// Not before the function has loaded: Deno waits for a preloaded module's pending reads before it goes on.
if (Deno.env.get('EDGE_HOST') === 'stdin')
  addEventListener('load', () => void listenToHost(), { once: true });
