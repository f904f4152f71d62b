/**
 * GitHub's stand-in in a process of its own, so that its work is neither our CPU time nor in the way of our event loop.
 * Takes its options as JSON, sends its URL to its parent, and ends with it.
 */
import { startGitHubStandIn, type GitHubStandInOptions } from '../../src/local/github/stand-in.ts';

const { url } = await startGitHubStandIn(JSON.parse(process.argv[2] ?? '{}') as GitHubStandInOptions);
process.send?.(url);
process.on('disconnect', () => process.exit(0));
