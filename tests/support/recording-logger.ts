import type { Logger } from '../../src/runtime/logger.ts';

export interface LogRecord {
  level: 'debug' | 'info' | 'warn' | 'error';
  fields: object;
  message: string;
}

/** Keeps what is logged, its children's lines too. */
export function recordingLogger(records: LogRecord[] = []): Logger & { records: LogRecord[] } {
  const write = (level: LogRecord['level']) => (fields: object, message: string) => {
    records.push({ level, fields, message });
  };
  return {
    records,
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => recordingLogger(records),
  };
}
