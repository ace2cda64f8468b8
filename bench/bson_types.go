package main

import (
	"fmt"
	"reflect"

	mgo "github.com/globalsign/mgo/bson"
	motor "github.com/motor-go/motor/bson"
	v1 "go.mongodb.org/mongo-driver/bson/primitive"
	v2 "go.mongodb.org/mongo-driver/v2/bson"
)

// deep is the document of that name: a binary tree.
type deep struct {
	Right      *deep  `bson:"right,omitempty"`
	Left       *deep  `bson:"left,omitempty"`
	RightValue string `bson:"rightValue,omitempty"`
	LeftValue  string `bson:"leftValue,omitempty"`
}

// small is the document small_doc.
type small struct {
	S1 string `bson:"oggaoR4O"`
	S2 string `bson:"Vxri7mmI"`
	S3 string `bson:"IQ8K4ZMG"`
	S4 string `bson:"WzI8s1W0"`
	S5 string `bson:"E5Aj2zB3"`
	S6 string `bson:"3MXe8Wi7"`
	S7 string `bson:"PHPSSV51"`
	I1 int32  `bson:"CxSCo4jD"`
	I2 int32  `bson:"5C8GSDC5"`
	I3 int32  `bson:"fC63DsLR"`
	I4 int32  `bson:"l6e0U4bR"`
	I5 int32  `bson:"TLRpkltp"`
	I6 int32  `bson:"Ph9CZN5L"`
}

// tweet is the document of that name.
type tweet struct {
	Text                string   `bson:"text"`
	InReplyToStatusID   int64    `bson:"in_reply_to_status_id"`
	RetweetCount        *int32   `bson:"retweet_count"`
	Contributors        *int32   `bson:"contributors"`
	CreatedAt           string   `bson:"created_at"`
	Geo                 *string  `bson:"geo"`
	Source              string   `bson:"source"`
	Coordinates         *string  `bson:"coordinates"`
	InReplyToScreenName string   `bson:"in_reply_to_screen_name"`
	Truncated           bool     `bson:"truncated"`
	Entities            entities `bson:"entities"`
	Retweeted           bool     `bson:"retweeted"`
	Place               *string  `bson:"place"`
	User                user     `bson:"user"`
	Favorited           bool     `bson:"favorited"`
	InReplyToUserID     int32    `bson:"in_reply_to_user_id"`
	ID                  int64    `bson:"id"`
}

type entities struct {
	UserMentions []mention `bson:"user_mentions"`
	URLs         []string  `bson:"urls"`
	Hashtags     []string  `bson:"hashtags"`
}

type mention struct {
	Indices    []int32 `bson:"indices"`
	ScreenName string  `bson:"screen_name"`
	Name       string  `bson:"name"`
	ID         int32   `bson:"id"`
}

type user struct {
	FriendsCount              int32   `bson:"friends_count"`
	ProfileSidebarFillColor   string  `bson:"profile_sidebar_fill_color"`
	Location                  string  `bson:"location"`
	Verified                  bool    `bson:"verified"`
	FollowRequestSent         *bool   `bson:"follow_request_sent"`
	FavouritesCount           int32   `bson:"favourites_count"`
	ProfileSidebarBorderColor string  `bson:"profile_sidebar_border_color"`
	ProfileImageURL           string  `bson:"profile_image_url"`
	GeoEnabled                bool    `bson:"geo_enabled"`
	CreatedAt                 string  `bson:"created_at"`
	Description               string  `bson:"description"`
	TimeZone                  string  `bson:"time_zone"`
	URL                       string  `bson:"url"`
	ScreenName                string  `bson:"screen_name"`
	Notifications             *string `bson:"notifications"`
	ProfileBackgroundColor    string  `bson:"profile_background_color"`
	ListedCount               int32   `bson:"listed_count"`
	Lang                      string  `bson:"lang"`
	ProfileBackgroundImageURL string  `bson:"profile_background_image_url"`
	StatusesCount             int32   `bson:"statuses_count"`
	Following                 *bool   `bson:"following"`
	ProfileTextColor          string  `bson:"profile_text_color"`
	Protected                 bool    `bson:"protected"`
	ShowAllInlineMedia        bool    `bson:"show_all_inline_media"`
	ProfileBackgroundTile     bool    `bson:"profile_background_tile"`
	Name                      string  `bson:"name"`
	ContributorsEnabled       bool    `bson:"contributors_enabled"`
	ProfileLinkColor          string  `bson:"profile_link_color"`
	FollowersCount            int32   `bson:"followers_count"`
	ID                        int32   `bson:"id"`
	ProfileUseBackgroundImage bool    `bson:"profile_use_background_image"`
	UTCOffset                 int32   `bson:"utc_offset"`
}

// flatStructs make the struct for the document flat, whose 145 fields of
// random names are better not written out. Each driver has an ObjectID of its
// own.
func flatStructs(raw []byte) (map[string]func() any, error) {
	ids := map[string]reflect.Type{
		Own:        reflect.TypeFor[motor.ObjectID](),
		Official:   reflect.TypeFor[v2.ObjectID](),
		"v1.17.10": reflect.TypeFor[v1.ObjectID](),
		"mgo":      reflect.TypeFor[mgo.ObjectId](),
	}
	structs := map[string]func() any{}
	for driver, id := range ids {
		t, err := structOf(raw, id)
		if err != nil {
			return nil, err
		}
		structs[driver] = func() any { return reflect.New(t).Interface() }
	}
	return structs, nil
}

// structOf is a struct type with a field for each element of the document.
func structOf(raw []byte, id reflect.Type) (reflect.Type, error) {
	var doc v2.D
	if err := v2.Unmarshal(raw, &doc); err != nil {
		return nil, err
	}
	var fields []reflect.StructField
	for i, e := range doc {
		f := reflect.StructField{Name: fmt.Sprint("F", i), Tag: reflect.StructTag(fmt.Sprintf("bson:%q", e.Key)), Type: reflect.TypeOf(e.Value)}
		if f.Type == reflect.TypeFor[v2.ObjectID]() {
			f.Type = id
		}
		fields = append(fields, f)
	}
	return reflect.StructOf(fields), nil
}
