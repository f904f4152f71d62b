/**
 * What `repositoryKey` says of a parsed payload, in Inngest's CEL over the event's data: one text for all spellings of a
 * repository's name. Our uuid stays a text of its own. Inngest takes a missing field for null, and so it does a field of
 * a text (https://www.inngest.com/docs/guides/writing-expressions); `lowercase` is a function of its own.
 */
export const repositoryExpression = [
  'lowercase(event.data.repository.owner != null',
  '? event.data.repository.owner + "/" + event.data.repository.name',
  ': event.data.repository != null ? event.data.repository',
  ': event.data.owner != null',
  '? event.data.owner + "/" + (event.data.repo != null ? event.data.repo : event.data.name)',
  ': event.data.repositoryId)',
].join(' ');
