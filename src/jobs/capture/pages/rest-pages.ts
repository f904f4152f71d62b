/** True when GitHub has more pages of a REST list after this one. */
export function hasNextPage(headers: { link?: string | undefined }): boolean {
  return headers.link?.includes('rel="next"') ?? false;
}
