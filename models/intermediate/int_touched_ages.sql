with

as_of as (

    select max(data_as_of) as data_as_of from {{ ref('int_account_as_of') }}

),

ages as (

    {{ comparison_ages() }}

),

-- A value at an age lies between two readings with at most one empty slot between them: a reading changes
-- those within three slots of its own.
final as (

    select distinct
        touched.post_id,
        touched.account_id,
        touched.earliest_published_at,
        touched.latest_published_at
    from {{ ref('int_touched_posts') }} as touched
    cross join ages
    cross join as_of
    where
        touched.first_slot = {{ beginning() }}
        or (
            touched.latest_published_at + ages.age_hours * interval '1' hour
            >= touched.first_slot - interval '18' hour
            and touched.earliest_published_at + ages.age_hours * interval '1' hour
            < touched.last_slot + interval '18' hour
            and touched.earliest_published_at + ages.age_hours * interval '1' hour <= as_of.data_as_of
        )

)

select * from final
