"""Long lines of generated code are broken where one would break them, and mean what they meant."""

import ast

import pytest

from derive.kernels.wrapping import WIDTH, wrapped

LINES = [
    "return (np.tensordot(X.T, X[:, :, None]*P[:, None, :], 1)*np.eye(K).T[:, None, :] - rows.transpose(0, 3, 2))/N",
    "return ((g - g.sum(axis=0)/d) - ((100000*(g @ (x - m)))*(x - m))/(d*(100000*v + 1)))/np.sqrt(v + 1/100000)",
    f"L = (logsumexp(Z)**2*{'a' * 50}*{'b' * 30}).sum(axis=0)/N",
    f"losses, residual = _cross_entropy_and_delta({'a' * 50}, {'b' * 40})",
    f"return {'a' * 40} - {'b' * 40}*{'c' * 30}",
    f"return f(a) - {'b' * 60}*{'c' * 60}[:, None] + {'d' * 50} @ g({'e' * 50})*{'h' * 20}",
]


@pytest.mark.parametrize("line", LINES)
def test_a_broken_line_is_the_same_statement(line):
    rows = wrapped(line)
    assert len(rows) > 1
    assert max(map(len, rows)) <= WIDTH - 4
    whole, broken = (f"def f():\n{text}" for text in (f" {line}", "\n".join(f" {row}" for row in rows)))
    assert ast.dump(ast.parse(whole)) == ast.dump(ast.parse(broken))


def test_where_it_is_broken():
    assert wrapped(LINES[1]) == [
        "return (",
        "    (g - g.sum(axis=0)/d)",
        "    - ((100000*(g @ (x - m)))*(x - m))/(d*(100000*v + 1))",
        ")/np.sqrt(v + 1/100000)",
    ]


@pytest.mark.parametrize("line", ["return a", 'raise ValueError("' + "a b " * 40 + '")', "x" * 200])
def test_what_is_short_or_in_quotes_or_in_one_piece_stays(line):
    assert wrapped(line) == [line]
