import { UsageError } from '../command/command-line.ts';

/** What the files of a job kind are called. */
export interface JobNames {
  type: string;
  /** Folder below `src/jobs/`. */
  room: string;
  /** File without its ending. */
  file: string;
  /** What the file exports. */
  identifier: string;
  title: string;
}

const word = '[a-z][a-z0-9]*(?:-[a-z0-9]+)*';
const typePattern = new RegExp(`^(${word})/(${word}(?:\\.${word})*)$`);

/**
 * @param type - `room/noun.verb`, for example `metrics/stars.count`
 * @throws {UsageError} it has another form
 */
export function namesOf(type: string): JobNames {
  const [, room, rest] = typePattern.exec(type) ?? [];
  if (room === undefined || rest === undefined)
    throw new UsageError(
      `type: expected lower-case words like metrics/stars.count, with one slash, got "${type}"`,
    );
  const words = rest.split(/[.-]/);
  const camel = words.map((each, index) => (index === 0 ? each : capital(each))).join('');
  return {
    type,
    room,
    file: words.join('-'),
    // The ending keeps it apart from reserved words.
    identifier: `${camel}Job`,
    title: capital(words.join(' ')),
  };
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
