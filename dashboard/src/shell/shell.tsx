import { Button, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { href } from '../location/route.ts';
import { ColorSchemeButton } from './color-scheme-button.tsx';
import { LiveSign } from './live-sign.tsx';
import classes from './shell.module.css';

const places: [path: string[], label: string][] = [
  [[], 'Overview'],
  [['jobs'], 'Jobs'],
  [['types'], 'Types'],
  [['schedules'], 'Schedules'],
  [['quotas'], 'Quotas'],
  [['audit'], 'Audit'],
];

/** Heading, navigation and who is signed in, around the page. */
export function Shell({
  current,
  email,
  onSignOut,
  children,
}: {
  /** First part of the path. */
  current: string;
  email: string | undefined;
  onSignOut: () => void;
  children: ReactNode;
}) {
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#main" onClick={skipToMain}>
        Skip to the content
      </a>
      <header className={classes.header}>
        <a className={classes.brand} href={href([])}>
          Hybrid jobs
        </a>
        <nav className={classes.nav} aria-label="Pages">
          {places.map(([path, label]) => (
            <a
              key={label}
              href={href(path)}
              className={classes.place}
              aria-current={(path[0] ?? '') === current ? 'page' : undefined}
            >
              {label}
            </a>
          ))}
        </nav>
        <div className={classes.aside}>
          <LiveSign />
          {email && (
            <Text size="xs" c="dimmed" className={classes.email}>
              {email}
            </Text>
          )}
          <ColorSchemeButton />
          <Button size="compact-xs" variant="default" onClick={onSignOut}>
            Sign out
          </Button>
        </div>
      </header>
      <main id="main" tabIndex={-1} className={classes.main}>
        {children}
      </main>
    </div>
  );
}

/** The hash holds the place: a plain jump would leave the page. */
function skipToMain(event: { preventDefault(): void }): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
