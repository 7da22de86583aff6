{#-
    What:   the engine's type for an identifier minted at landing.
    Output: a type name. Engines without a UUID type keep the text.
    Usage:  cast(post_id as {{ uuid_type() }})
-#}
{% macro uuid_type() %}{{ adapter.dispatch('uuid_type')() }}{% endmacro %}

{% macro default__uuid_type() %}uuid{% endmacro %}

{% macro spark__uuid_type() %}string{% endmacro %}


{#-
    What:   the engine's type of an instant, which a session in UTC shows as UTC.
    Output: a type name.
    Usage:  cast('1970-01-01 00:00:00+00' as {{ instant_type() }})
-#}
{% macro instant_type() %}{{ adapter.dispatch('instant_type')() }}{% endmacro %}

{% macro default__instant_type() %}timestamp with time zone{% endmacro %}

{% macro spark__instant_type() %}timestamp{% endmacro %}
