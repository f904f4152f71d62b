/** Text that Postgres can store: without NUL, which it refuses, and without halves of surrogate pairs. */
export function storable(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}

/** The body of a pull request, review or comment. REST has null and GraphQL '' for an empty one; here it is null. */
export function storableBody(text: string | null | undefined): string | null {
  return text ? storable(text) : null;
}

/** Text that may be missing. */
export function storableOrNull(text: string | null | undefined): string | null {
  return text == null ? null : storable(text);
}
