{#-
    What:   the rows of two queries, their columns matched by name, in whatever order they have them.
    Usage:  {{ union_by_name('select a, b from here', 'select b, a from there') }}
-#}
{% macro union_by_name(first, second) %}
    {{- adapter.dispatch('union_by_name')(first, second) -}}
{% endmacro %}

{% macro default__union_by_name(first, second) %}{{ first }} union all by name {{ second }}{% endmacro %}

{% macro spark__union_by_name(first, second) %}
    {{- exceptions.raise_compiler_error('Spark reads the archive as part of its Iceberg tables') -}}
{% endmacro %}
