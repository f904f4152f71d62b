import { useQueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import classes from './live-sign.module.css';

/** Whether what is on the screen is being kept up to date. */
export function LiveSign() {
  const cache = useQueryClient().getQueryCache();
  const isFailing = useSyncExternalStore(
    (onChange) => cache.subscribe(onChange),
    () => cache.findAll({ type: 'active' }).some(({ state }) => state.status === 'error'),
  );
  return (
    <span className={classes.sign} data-failing={isFailing}>
      {isFailing ? 'not up to date' : 'live'}
    </span>
  );
}
