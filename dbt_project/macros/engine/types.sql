{#-
    What:   the engine's type for an identifier minted at landing.
    Output: a type name. Engines without a UUID type keep the text.
    Usage:  cast(post_id as {{ uuid_type() }})
-#}
{% macro uuid_type() %}{{ adapter.dispatch('uuid_type')() }}{% endmacro %}

{% macro default__uuid_type() %}uuid{% endmacro %}

{% macro spark__uuid_type() %}string{% endmacro %}
