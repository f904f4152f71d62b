/**
 * Where property-based tests against a database begin. Fixed, so that a change is judged by the same cases each time it is
 * tested; `PROPERTY_SEED=$RANDOM npm test -- …` tries others, and `npm run fuzz` always does.
 */
export const propertySeed = Number(process.env.PROPERTY_SEED ?? 20_261_122);
