import type { Database } from '../../../database/generated-types.ts';

type Tables = Database['public']['Tables'];

/** GitHub's ids that a table keeps; every other `…_github_id` names a row whose uuid the table keeps as `…_id`. */
type KeptId = 'github_id' | 'in_reply_to_github_id' | 'review_github_id';

/** What a page may hold under a key: what the column takes, or GitHub's id of the row that the column refers to. */
type Value<Columns, Key> = Key extends keyof Columns
  ? Columns[Key]
  : Key extends KeptId
    ? never
    : Key extends `${infer Row}_github_id`
      ? `${Row}_id` extends keyof Columns
        ? number | null | undefined
        : never
      : never;

/** `Row`, which only compiles while each of its keys is a column of the table and each value one that it takes. */
export type TableRow<
  Table extends keyof Tables,
  Row extends { [Key in keyof Row]: Value<Tables[Table]['Insert'], Key> },
> = Row;
