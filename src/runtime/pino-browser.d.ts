/** pino types its browser build by its main entry only. */
declare module 'pino/browser.js' {
  export { pino } from 'pino';
}
