"""What each shell hands over for a completion, and what it does with the answers. click's scripts leave some of it out.

bash takes words apart at `=` and `:`, replaces only what stands behind the last of them, and puts in what it gets as it
stands. zsh and fish replace the whole word, so an option that is written `--name=value` has to be in the answer.
"""

import os
import re

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    shell_complete,
    split_arg_string,
)

_BREAKS = frozenset("=:")  # of COMP_WORDBREAKS, those that words of ours contain
_SPECIAL = re.compile(r"([^\w%+=:,./@-])")


def joined(words: list[str]) -> list[str]:
    """Words that bash has taken apart, in one piece again."""
    whole: list[str] = []
    goes_on = False
    for word in words:
        breaks = bool(word) and set(word) <= _BREAKS
        if whole and (breaks or goes_on):
            whole[-1] += word
        else:
            whole.append(word)
        goes_on = breaks
    return whole


def option_of(word: str) -> str:
    """`--name=` of a `--name=value`; of other words, nothing."""
    name, equals, _ = word.partition("=")
    return name + equals if equals and name.startswith("-") else ""


class _Bash(BashComplete):
    name = "bash"

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one at the cursor, and that one as far as it goes."""
        words, at = split_arg_string(os.environ["COMP_WORDS"]), int(os.environ["COMP_CWORD"])
        if at >= len(words):  # an empty one
            return joined(words[1:]), ""
        *before, incomplete = joined(words[1 : at + 1])
        return before, incomplete

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """What may stand behind the last `=` or `:` of the word."""
        value = incomplete.removeprefix(option_of(incomplete))
        kept = max(value.rfind(each) for each in _BREAKS) + 1
        found = super().get_completions(args, incomplete)
        return [CompletionItem(item.value[kept:], item.type) for item in found]

    def format_completion(self, item: CompletionItem[str]) -> str:
        """A line of the answer. The script's `read` takes every second backslash away."""
        if item.type != "plain" or _in_quotes():
            return super().format_completion(item)
        return "plain," + _SPECIAL.sub(r"\\\\\1", item.value)


def _in_quotes() -> bool:
    """Whether the word at the cursor begins with a quote: what is in there needs no backslashes."""
    words, at = os.environ["COMP_WORDS"].split("\n"), int(os.environ["COMP_CWORD"])
    return at < len(words) and words[at].startswith(("'", '"'))


class _Whole(ShellComplete):
    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """What may stand in place of the word."""
        prefix = option_of(incomplete)
        return [
            CompletionItem(prefix + item.value if item.type == "plain" else item.value, item.type, item.help)
            for item in super().get_completions(args, incomplete)
        ]


class _Zsh(_Whole, ZshComplete):
    name = "zsh"


class _Fish(_Whole, FishComplete):
    name = "fish"


def answer(program: click.Command, session: object, variable: str, instruction: str) -> int:
    """Print what the shell has asked for; the exit status."""
    for shell in (_Bash, _Zsh, _Fish):
        add_completion_class(shell)
    return shell_complete(program, {"obj": session}, "cfroute", variable, instruction)
