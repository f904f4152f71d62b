import { catalog } from '../../jobs/catalog.ts';
import { readCommandLine } from '../command/command-line.ts';
import type { Command, Commands } from './command.ts';
import { readChoice, readOnly } from './operands.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

const help = `Prints a script that makes the shell complete commands, flags and job types of hybrid-jobs.

  hybrid-jobs completion bash > /etc/bash_completion.d/hybrid-jobs
  source <(hybrid-jobs completion zsh)
  hybrid-jobs completion fish > ~/.config/fish/completions/hybrid-jobs.fish

The command hybrid-jobs is there once the package is linked: npm link, in its folder.

  --help              this text`;

/** @param commands - asked for late: this command is one of them */
export function completion(commands: () => Commands): Command {
  return {
    summary: 'prints a completion script for a shell',
    options: {},
    operands: shells,
    run(host) {
      const { positionals } = readCommandLine(host.args, {}, help);
      const shell = readChoice('shell', readOnly(positionals, `one of ${shells.join(', ')}`, help), shells);
      host.print(scripts[shell](commands()));
      return Promise.resolve(0);
    },
  };
}

const scripts: Record<(typeof shells)[number], (commands: Commands) => string> = {
  bash: bashScript,
  // zsh's own emulation of `complete` and `compgen`.
  zsh: (commands) =>
    `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(commands)}`,
  fish: fishScript,
};

function bashScript(commands: Commands): string {
  const cases = Object.entries(commands).map(
    ([name, command]) =>
      `    ${name}) words="${wordsOf(command).join(' ')}"; flags="${flagsOf(command).join(' ')}" ;;`,
  );
  return `_hybrid_jobs() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words="" flags=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${Object.keys(commands).join(' ')} --help" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
  esac
}
complete -o default -F _hybrid_jobs hybrid-jobs`;
}

function fishScript(commands: Commands): string {
  const lines = Object.entries(commands).flatMap(([name, command]) => {
    const seen = `__fish_seen_subcommand_from ${name}`;
    return [
      `complete -c hybrid-jobs -f -n __fish_use_subcommand -a ${name} -d '${command.summary.replaceAll("'", "\\'")}'`,
      ...(wordsOf(command).length > 0
        ? [`complete -c hybrid-jobs -f -n '${seen}' -a '${wordsOf(command).join(' ')}'`]
        : []),
      ...flagsOf(command).map((flag) => `complete -c hybrid-jobs -n '${seen}' -l ${flag.slice(2)}`),
    ];
  });
  return lines.join('\n');
}

function wordsOf({ operands }: Command): readonly string[] {
  return operands === 'types' ? catalog.map(({ type }) => type) : (operands ?? []);
}

function flagsOf({ options }: Command): string[] {
  return [...Object.keys(options), 'help'].map((flag) => `--${flag}`);
}
