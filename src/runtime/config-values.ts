/**
 * What the texts of environment variables may be. Plain functions and not schemas: an isolate of `process-job` reads its
 * configuration before its first claim, and zod would be most of what it loads for that.
 */

/** A variable's text is not what it should be. The message says what was expected and holds nothing of the text. */
export class Unexpected extends Error {
  override readonly name = 'Unexpected';
}

/** @throws {Unexpected} the text is none of these */
export type ReadText<Value> = (text: string) => Value;

/** Of a variable that may be absent. @throws {Unexpected} it is malformed, or absent although it is needed */
export type Read<Value> = (text: string | undefined) => Value;

/** @param expected - for the error when it is absent */
export function required<Value>(expected: string, read: ReadText<Value>): Read<Value> {
  return (text) => {
    if (text === undefined) throw new Unexpected(expected);
    return read(text);
  };
}

export function optional<Value>(read: ReadText<Value>): Read<Value | undefined> {
  return (text) => (text === undefined ? undefined : read(text));
}

export function withDefault<Value>(read: ReadText<Value>, value: NoInfer<Value>): Read<Value> {
  return (text) => (text === undefined ? value : read(text));
}

export function matching(pattern: RegExp, expected: string): ReadText<string> {
  return (text) => {
    if (!pattern.test(text)) throw new Unexpected(expected);
    return text;
  };
}

export function oneOf<const Choice extends string>(
  choices: readonly Choice[],
  expected: string,
): ReadText<Choice> {
  return (text) => {
    const choice = choices.find((each) => each === text);
    if (choice === undefined) throw new Unexpected(expected);
    return choice;
  };
}

function url(scheme: RegExp, expected: string): ReadText<string> {
  return (text) => {
    // As the URL parser does, so that both mean the same host.
    const oneLine = text.replace(/[\t\n\r]/g, '');
    if (!scheme.test(oneLine) || !URL.canParse(oneLine)) throw new Unexpected(expected);
    return oneLine;
  };
}

export const anHttpUrl = 'an http(s) URL';
const anyHttpUrl = url(/^https?:\/\//i, anHttpUrl);
/** Without slashes at its end. */
export const httpUrl: ReadText<string> = (text) => anyHttpUrl(text).replace(/\/+$/, '');

export const aPostgresUrl = 'a postgres:// URL';
export const postgresUrl = url(/^postgres(ql)?:\/\//i, aPostgresUrl);

/** What a header can carry. An error about any other header value shows it. */
export const headerText = /^[\x21-\x7e]+$/;
export const aSecret = 'a non-empty secret';
export const secret = matching(headerText, 'a secret in one line without spaces');

export function wholeNumberFrom(least: number): ReadText<number> {
  return (text) => {
    const number = Number(text);
    if (!Number.isSafeInteger(number) || number < least) throw new Unexpected(`a whole number from ${least}`);
    return number;
  };
}

export const count = wholeNumberFrom(1);

export const originList: ReadText<string[]> = (text) => {
  const origins = text.split(',').map((origin) => origin.trim());
  if (!origins.every(isOrigin))
    throw new Unexpected('origins like https://app.example.com, separated by commas');
  return origins;
};

/** As a browser writes it in its header: nothing else would ever match. */
function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
