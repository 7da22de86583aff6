{#-
    What:   a number that orders the rows of a group at random, another way for each draw, and the same
            for the same row and draw on every engine and in every build. Added up, such numbers also tell
            which pairs of numbers they are of.
    Types:  row number and draw, below 2**31, as bigint -> bigint below 2**31. Squares modulo a prime, mixed with both.
    Usage:  row_number() over (partition by draw order by {{ shuffle_key('position', 'draw') }}, position)
-#}
{% macro shuffle_key(position, draw) -%}
    {%- set prime = 2147483647 -%}
    {%- set first = '(' ~ position ~ ' * 1103515245 + ' ~ draw ~ ' * 69621 + 12345) % ' ~ prime -%}
    {%- set second = '((' ~ first ~ ') * (' ~ first ~ ') + ' ~ draw ~ ' * 48271) % ' ~ prime -%}
    {%- set third = '((' ~ second ~ ') * (' ~ second ~ ') + ' ~ position ~ ' * 16807) % ' ~ prime -%}
    ((({{ third }}) * ({{ third }}) + 1013904223) % {{ prime }})
{%- endmacro %}
