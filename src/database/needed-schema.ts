// Made from the migrations by `npm run types:generate`; edits are lost.

/** The newest migration that this code was made with. */
export const neededSchema = '20261122000963';
