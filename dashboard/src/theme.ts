import { createTheme, type CSSVariablesResolver } from '@mantine/core';

/** Calm and dense: one accent, small type, thin borders. The shades keep WCAG AA contrast in both schemes. */
export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 8, dark: 8 },
  defaultRadius: 'sm',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  headings: { fontWeight: '600' },
  cursorType: 'pointer',
  respectReducedMotion: true,
});

/** Mantine's own dimmed grey and its reds fall short of AA on the backgrounds used here. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#545d66',
    '--mantine-color-error': '#c92a2a',
    '--jm-page': '#f6f7f9',
    '--jm-surface': '#ffffff',
    '--jm-hover': '#f1f3f8',
    '--jm-border': '#e1e5ea',
    '--jm-accent': '#364fc7',
    '--jm-queued': '#5c6b7a',
    '--jm-processing': '#3b5bdb',
    '--jm-completed': '#2b8a3e',
    '--jm-failed': '#c92a2a',
    '--jm-cancelled': '#868e96',
    '--jm-warning': '#a14900',
  },
  dark: {
    '--mantine-color-dimmed': '#a6adb5',
    '--mantine-color-error': '#ff8787',
    '--jm-page': '#15171c',
    '--jm-surface': '#1c1f26',
    '--jm-hover': '#262a33',
    '--jm-border': '#31363f',
    '--jm-accent': '#91a7ff',
    '--jm-queued': '#9aa7b4',
    '--jm-processing': '#748ffc',
    '--jm-completed': '#51cf66',
    '--jm-failed': '#ff8787',
    '--jm-cancelled': '#868e96',
    '--jm-warning': '#ffc078',
  },
});
