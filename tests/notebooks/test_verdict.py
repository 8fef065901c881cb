"""What checks say: of right and wrong answers, of none, and of those that fail."""

import numpy as np


def test_verdicts(checks):
    @checks.exercise("1.1")
    def check(answer):
        if not checks.close(answer, 5, 0.1):
            raise checks.Wrong(f"{answer} is <not> 5.")
        return "Five it is."

    right, wrong, none, text = check(5.05), check(4), check(...), check("five")
    assert right.right and repr(right) == "✓ Exercise 1.1: right. Five it is."
    assert not wrong.right and repr(wrong) == "✗ Exercise 1.1: not yet. 4 is <not> 5."
    assert "&lt;not&gt;" in wrong._repr_html_()
    assert not none.right and "no answer yet" in none.text
    assert not text.right and "Received: str 'five'" in text.text


def test_what_a_student_s_function_may_do(checks):
    @checks.exercise("1.2")
    def check(function):
        checks.is_array(checks.run(function, 2), (3,), "the result")
        return "Good."

    def fails(x):
        return 1 / (x - 2)

    assert check(lambda x: [1, 2, 3]).right
    assert "returned nothing" in check(lambda x: None).text
    assert "placeholder" in check(lambda x: ...).text
    assert "fails stopped with ZeroDivisionError" in check(fails).text
    assert "Expected a function. Received: int" in check(3).text
    assert "shape (3,). Yours has (2,)" in check(lambda x: [1, 2]).text
    assert "not finite" in check(lambda x: [1, 2, np.nan]).text
    assert "array of numbers" in check(lambda x: "abc").text
    assert "could not use your answer: TypeError" in checks.exercise("1")(lambda a: len(a))(3).text
