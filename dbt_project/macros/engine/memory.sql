{#-
    What:   the on-run-start hook: a build of what is new reads most blocks once. To keep them takes memory that
            the system has to find and to clear, and gives nothing back; what does not fit is spilled.
-#}
{% macro limit_memory() %}
    {%- if not tests_look_at_all() -%}
        {{- adapter.dispatch('limit_memory')() -}}
    {%- endif -%}
{% endmacro %}

{% macro default__limit_memory() %}set memory_limit = '1GB'{% endmacro %}

{% macro spark__limit_memory() %}{% endmacro %}
