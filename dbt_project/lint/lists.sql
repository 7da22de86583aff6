{#-
    What:   short lists for sqlfluff, which reads each turn of a loop anew: a model lints in three seconds instead of
            twenty. Three counters are two where one is left out. Of one round of draws it renders the
            other branch itself.
-#}
{% macro platforms() %}{{ return(['twitter']) }}{% endmacro %}

{% macro counters() %}{{ return(['impressions', 'likes', 'clicks']) }}{% endmacro %}

{% macro timing_rounds() %}{{ return([('first', 1, 20, none)]) }}{% endmacro %}
