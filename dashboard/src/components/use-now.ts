import { createContext, use, useEffect, useState } from 'react';

const TICK_MS = 1_000;

export const NowContext = createContext(0);

/** The time that ages on the page are counted from; one clock for all of them. */
export function useNow(): number {
  return use(NowContext);
}

/** Milliseconds since the epoch, every second; it stands still while the page is hidden. */
export function useClock(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') setNow(Date.now());
    }, TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
