{#-
    What:   quotient of two integers, cut towards zero, as an integer.
    Types:  integer, integer -> the wider of the two.
    Usage:  {{ integer_divide('a + b', 'c') }}
-#}
{% macro integer_divide(dividend, divisor) %}
    {{- adapter.dispatch('integer_divide')(dividend, divisor) -}}
{% endmacro %}

{% macro default__integer_divide(dividend, divisor) %}(({{ dividend }}) // ({{ divisor }})){% endmacro %}

{% macro spark__integer_divide(dividend, divisor) %}(({{ dividend }}) div ({{ divisor }})){% endmacro %}
